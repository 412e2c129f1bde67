// The page of the API's documentation: its theme, and Swagger UI on openapi.json.
'use strict';

(() => {
  const root = document.documentElement;
  const light = matchMedia('(prefers-color-scheme: light)');
  const paint = () =>
    root.classList.toggle('dark-mode', root.dataset.theme ? root.dataset.theme === 'dark' : !light.matches);
  light.addEventListener('change', paint);
  paint();

  // Names and levels that Swagger UI leaves out.
  const describe = () => {
    const set = (selector, name, value) => {
      for (const one of document.querySelectorAll(`${selector}:not([${name}])`)) one.setAttribute(name, value);
    };
    set('.opblock-tag', 'aria-level', '2');
    set('.models h4', 'aria-level', '2');
    set('.opblock h4', 'aria-level', '3');
    set('.opblock h5', 'aria-level', '4');
    set('.information-container', 'role', 'region');
    set('.information-container', 'aria-label', 'About this API');
    set('.filter-container', 'role', 'search');
    set('.body-param__text', 'aria-label', 'Request body');
    set('.examples-select-element', 'aria-label', 'Example');
    set('.content-type', 'aria-label', 'Content type');
    // The button around the path leads to the operation too, and a link in a button cannot be reached by all.
    for (const link of document.querySelectorAll('.opblock-summary-control a[href]')) link.removeAttribute('href');
  };

  document.addEventListener('DOMContentLoaded', () => {
    new MutationObserver(describe).observe(document.getElementById('docs'), { childList: true, subtree: true });
    globalThis.SwaggerUIBundle({
      url: '/openapi.json',
      domNode: document.getElementById('docs'),
      deepLinking: true,
      docExpansion: 'none',
      defaultModelsExpandDepth: 0,
      displayRequestDuration: true,
      filter: true,
      // A key that is entered is kept in memory only, not in the browser's storage.
      persistAuthorization: false,
      tryItOutEnabled: true,
      validatorUrl: null,
    });
  });
})();
