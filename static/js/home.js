// The homepage's example questions open the widget and ask.
document.addEventListener("click", (event) => {
  const question = event.target.closest("[data-ask]")?.dataset.ask;
  if (question) (window.netvexa ??= []).push(["ask", question]);
});
