/** The texts that the page hands its scripts, in the reader's language. */
export const words = document.getElementById('words').dataset;
