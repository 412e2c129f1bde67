// What the pages can do beyond links and forms. Each part looks for its own attributes, so a page only has to state them.
import './toasts.js';
import './dialogs.js';
import './requests.js';
import './copying.js';
import './keyboard.js';
import './theme.js';
import './forms.js';

document.documentElement.classList.add('js');
