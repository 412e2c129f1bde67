// The scripts of the admin's pages. Each module acts on data attributes of its own, which a page sets where it needs them.
import './toasts.js';
import './dialogs.js';
import './progress.js';
import './requests.js';
import './copying.js';
import './palette.js';
import './keyboard.js';
import './linkRows.js';
import './theme.js';
import './forms.js';
import './menus.js';
import './keySearch.js';
import './typedWork.js';
import './arrows.js';

document.documentElement.classList.add('js');
