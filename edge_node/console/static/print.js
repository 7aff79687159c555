// A page to be printed: its button opens the browser's own dialogue. Without this file the browser's menu does the same.
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
