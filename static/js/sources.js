// The kinds of sources share a form; only the fields of the chosen kind, and of the chosen reach, are shown.
const apply = (form) => {
  const kind = form.elements.kind.value;
  for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(kind);
  const reach = form.elements.reach.value;
  for (const part of form.querySelectorAll("[data-reach]")) part.hidden = !part.dataset.reach.split(" ").includes(reach);
};

for (const form of document.querySelectorAll("[data-source-form]")) {
  apply(form);
  form.addEventListener("change", () => apply(form));
  // A file may be dropped anywhere on the form.
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    form.elements.kind.value = "file";
    form.elements.file.files = event.dataTransfer.files;
    form.elements.file.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
