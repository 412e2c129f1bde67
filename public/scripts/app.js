// What the pages can do beyond links and forms. Each part looks for its own attributes, so a page only has to state them.
import './toasts.js';
import './dialogs.js';
import './requests.js';
import './copying.js';
import './tips.js';
import './shortcuts.js';
import './theme.js';
import './sendOnce.js';
import './tickAll.js';

document.documentElement.classList.add('js');
