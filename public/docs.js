// The page of the API's documentation: its theme, and Swagger UI on openapi.json.
'use strict';

(() => {
  const root = document.documentElement;
  const light = matchMedia('(prefers-color-scheme: light)');
  const paint = () =>
    root.classList.toggle('dark-mode', root.dataset.theme ? root.dataset.theme === 'dark' : !light.matches);
  light.addEventListener('change', paint);
  paint();

  document.addEventListener('DOMContentLoaded', () => {
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
