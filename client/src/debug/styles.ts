/** The panel's look, from the variables of styles.css where the page has them. Not in styles.css itself: an application's users never see the panel. */
const css = `@layer rt {
  .rt-debug {
    --bg: var(--rt-bg, light-dark(#fff, #181b22));
    --sunken: var(--rt-sunken, light-dark(#eceef2, #242a35));
    --line: var(--rt-border, light-dark(#d9dde4, #2c323d));
    --edge: var(--rt-border-strong, light-dark(#858d9b, #727b8c));
    --text: var(--rt-text, light-dark(#171a21, #eceef3));
    --text-2: var(--rt-text-2, light-dark(#4d5563, #b0b7c5));
    --accent: var(--rt-accent, light-dark(#4338ca, #a5a3ff));
    --live: var(--rt-live, light-dark(#0a7a4b, #4cd08f));
    --warn: var(--rt-warn, light-dark(#8f5200, #f2b65a));
    --danger: var(--rt-danger, light-dark(#b3261e, #ff8a80));
    position: fixed;
    z-index: 2147483000;
    inset-block-end: 12px;
    inset-inline-start: 12px;
    box-sizing: border-box;
    color: var(--text);
    background: var(--bg);
    border: 1px solid var(--edge);
    border-radius: var(--rt-radius, 10px);
    box-shadow: 0 1px 2px rgb(0 0 0 / 0.06), 0 4px 12px rgb(0 0 0 / 0.12);
    font: 12px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
    letter-spacing: normal;
    text-align: start;
  }
  .rt-debug[data-corner$='end'] { inset-inline: auto 12px; }
  .rt-debug[data-corner^='top'] { inset-block: 12px auto; }
  .rt-debug[data-open] {
    display: flex;
    flex-direction: column;
    inline-size: min(440px, 100vw - 24px);
    block-size: min(520px, 100dvh - 24px);
    overflow: hidden;
  }
  .rt-debug * { box-sizing: border-box; }
  .rt-debug :focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
  .rt-debug button {
    min-block-size: 28px;
    padding: 2px 10px;
    border: 1px solid var(--edge);
    border-radius: var(--rt-radius-sm, 6px);
    background: none;
    color: inherit;
    font: inherit;
    cursor: pointer;
  }
  .rt-debug button:disabled { opacity: 0.5; cursor: default; }
  .rt-debug > button { border: 0; font-weight: 700; text-align: start; }
  .rt-debug[data-open] > button::after { content: '\\2715' / ''; float: inline-end; }
  .rt-debug [role='group'] { padding-block: 8px; }
  .rt-debug-state::before { content: '\\25CF\\00A0' / ''; color: var(--text-2); }
  .rt-debug-state[data-state='connected']::before { color: var(--live); }
  .rt-debug-state[data-state$='connecting']::before { content: '\\25D0\\00A0' / ''; color: var(--warn); }
  .rt-debug-state[data-state='error']::before { content: '\\25B2\\00A0' / ''; color: var(--danger); }
  .rt-debug [role='tablist'] { display: flex; gap: 4px; padding-inline: 8px; border-block-end: 1px solid var(--line); }
  .rt-debug [role='tab'] { border: 0; border-radius: 0; border-block-end: 2px solid transparent; color: var(--text-2); }
  .rt-debug [role='tab'][aria-selected='true'] { border-color: var(--accent); color: var(--text); font-weight: 700; }
  .rt-debug [role='tabpanel'] { flex: 1; min-block-size: 0; overflow: auto; padding: 4px 12px 12px; }
  .rt-debug dl { display: grid; grid-template-columns: 11em 1fr; gap: 2px 12px; margin: 0; }
  .rt-debug dt { color: var(--text-2); }
  .rt-debug dd { margin: 0; overflow-wrap: anywhere; }
  .rt-debug ol { margin: 0; padding: 0; list-style: none; }
  .rt-debug li { border-block-end: 1px solid var(--line); padding-block: 4px; overflow-wrap: anywhere; }
  .rt-debug time { color: var(--text-2); padding-inline-end: 8px; }
  .rt-debug summary { display: flex; align-items: center; min-block-size: 24px; cursor: pointer; }
  .rt-debug summary > span { flex: 1; }
  .rt-debug li[data-what='error'] b, .rt-debug li[data-what='gap'] b { color: var(--danger); }
  .rt-debug pre, .rt-debug textarea {
    inline-size: 100%;
    margin: 4px 0;
    padding: 8px;
    border: 0;
    border-radius: var(--rt-radius-sm, 6px);
    background: var(--sunken);
    color: inherit;
    font: inherit;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  .rt-debug footer { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; padding: 8px; border-block-start: 1px solid var(--line); }
  .rt-debug-hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  @media (pointer: coarse) {
    .rt-debug button, .rt-debug summary { min-block-size: 44px; }
  }
}`;

let users = 0;
let sheet: CSSStyleSheet | undefined;

/**
 * Brings the look into the document, and says how to take it out. As a constructed stylesheet, which a Content-Security-Policy allows without 'unsafe-inline' and without a nonce. A browser without them (before 2023) shows the panel plain.
 */
export const dress = (): (() => void) => {
  if (!('adoptedStyleSheets' in document)) return () => {};
  if (!users++) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }
  return () => {
    if (!--users) document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
  };
};
