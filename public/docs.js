'use strict';

(() => {
  const light = matchMedia('(prefers-color-scheme: light)');
  const paint = () => document.documentElement.classList.toggle('dark-mode', !light.matches);
  light.addEventListener('change', paint);
  paint();

  globalThis.SwaggerUIBundle({
    url: '/openapi.json',
    domNode: document.getElementById('docs'),
    deepLinking: true,
    docExpansion: 'none',
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    // A key stays in this page's memory and nowhere else.
    persistAuthorization: false,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
})();
