// What every page may use. Pages work without it; it makes them quicker.

const announce = (text, kind = "success") => {
  const area = document.getElementById("toasts");
  if (!area) return;
  const template = document.getElementById(kind === "error" ? "toast-error" : "toast-success");
  const toast = template.content.firstElementChild.cloneNode(true);
  toast.querySelector("[data-text]").textContent = text;
  area.append(toast);
  schedule(toast);
};

// Good news goes away by itself, errors stay until they are closed.
const schedule = (toast) => {
  if (toast.dataset.toast !== "error") setTimeout(() => toast.remove(), 6000);
};

const actions = {
  dismiss: (button) => button.closest("[data-toast]")?.remove(),
  async copy(button) {
    const source = document.getElementById(button.dataset.target);
    const text = source.value ?? source.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      announce("Press Ctrl+C to copy the marked text.");
      return;
    }
    const label = button.querySelector("[data-label]");
    const before = label.textContent;
    label.textContent = "Copied";
    announce("Copied to the clipboard.");
    setTimeout(() => (label.textContent = before), 2000);
  },
  dialog: (button) => document.getElementById(button.dataset.target).showModal(),
  close: (button) => button.closest("dialog").close(),
  reveal(button) {
    const input = document.getElementById(button.dataset.target);
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    button.setAttribute("aria-pressed", String(hidden));
  },
  theme(button) {
    const chosen = button.dataset.value;
    try {
      if (chosen === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", chosen);
    } catch {
      // Kept for this page only.
    }
    if (chosen === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    markTheme();
  },
};

const markTheme = () => {
  const chosen = document.documentElement.dataset.theme ?? "system";
  for (const button of document.querySelectorAll("[data-action=theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.value === chosen));
  }
};

// A file that is too large is refused before it is sent.
document.addEventListener("change", (event) => {
  const { files, dataset } = event.target;
  if (!files || !dataset.maxBytes) return;
  const isTooLarge = [...files].some((file) => file.size > Number(dataset.maxBytes));
  event.target.setCustomValidity(isTooLarge ? dataset.tooLarge : "");
  if (isTooLarge) event.target.reportValidity();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action]");
  if (button) actions[button.dataset.action]?.(button);
  else if (event.target instanceof HTMLDialogElement) event.target.close(); // its backdrop
});

// Menus close like menus: by a click elsewhere, when the focus goes on, and by Escape, which gives the focus back.
const openMenus = () => document.querySelectorAll("details[data-menu][open]");
document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("focusin", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A row of tabs that is wider than a phone begins at the one that is open, and goes along with the keyboard.
const centre = (tab) => {
  const [inner, outer] = [tab, tab.parentElement].map((box) => box.getBoundingClientRect());
  tab.parentElement.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
};
document.addEventListener("focusin", ({ target }) => {
  if (target.matches("main nav > :focus-visible")) centre(target);
});

// A form is sent once, and says that it is on its way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[hx-get], [hx-post]") || form.method === "dialog") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("button:not([type=button])")) button.setAttribute("aria-busy", "true");
});
// Coming back by the browser's back button must not find the form locked.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
});

// Forms whose choice is the whole answer, such as a role or a filter.
document.addEventListener("change", (event) => {
  const control = event.target.closest("[data-autosubmit]");
  if (control) control.form.requestSubmit();
});

document.addEventListener("htmx:responseError", (event) => {
  let detail = "Something went wrong. Please try again.";
  try {
    detail = JSON.parse(event.detail.xhr.responseText).detail ?? detail;
  } catch {
    // A page, not JSON.
  }
  announce(detail, "error");
});
document.addEventListener("htmx:sendError", () => announce("The server cannot be reached just now.", "error"));

for (const input of document.querySelectorAll("input[name=time_zone][type=hidden]")) {
  input.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone;
}
for (const element of document.querySelectorAll("[data-js]")) element.hidden = false;
for (const toast of document.querySelectorAll("[data-toast]")) schedule(toast);
markTheme();
document.querySelectorAll("main nav [aria-current=page]").forEach(centre);
(document.querySelector("[aria-invalid=true]") ?? document.querySelector("[data-errors]"))?.focus();
