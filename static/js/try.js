// Pages on which the agent can be tried: the widget opens by itself, and questions are asked with one click.
const call = (...args) => (window.netvexa ??= []).push(args);

document.addEventListener("click", (event) => {
  const question = event.target.closest("[data-ask]")?.dataset.ask;
  if (question) call("ask", question);
  else if (event.target.closest("[data-open-chat]")) call("open");
});

// Not on a phone, where the open chat would cover the page.
if (document.querySelector("script[data-opens]") && matchMedia("(min-width: 64rem)").matches) call("open");
