// The scripts of pages that are open to the world.
import './typedWork.js';
