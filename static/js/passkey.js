// Passkeys: a form marked with data-passkey asks the browser to make or to use one, and takes its answer along.
const decode = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const withIds = (list = []) => list.map((each) => ({ ...each, id: decode(each.id) }));

const actions = {
  make(options) {
    options.user.id = decode(options.user.id);
    options.excludeCredentials = withIds(options.excludeCredentials);
    return navigator.credentials.create({ publicKey: options });
  },
  prove(options) {
    options.allowCredentials = withIds(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  },
};

// Browsers tell little, so that no site learns what somebody has.
const SENTENCES = {
  NotAllowedError: "No passkey was used: it was cancelled, took too long, or is not on this device.",
  InvalidStateError: "This device has a passkey for your account already.",
  SecurityError: "Passkeys do not work at this address.",
};

const answerOf = ({ id, rawId, type, response }) => {
  const names = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const given = names.filter((name) => response[name]).map((name) => [name, encode(response[name])]);
  return JSON.stringify({ id, rawId: encode(rawId), type, response: Object.fromEntries(given) });
};

const ask = async (form) => {
  const problem = form.querySelector("[data-problem]");
  problem.hidden = true;
  try {
    const options = JSON.parse(form.dataset.options);
    options.challenge = decode(options.challenge);
    form.elements.passkey.value = answerOf(await actions[form.dataset.passkey](options));
  } catch (error) {
    problem.querySelector("[data-text]").textContent = SENTENCES[error.name] ?? "This browser could not use a passkey.";
    problem.hidden = false;
    return;
  }
  form.requestSubmit();
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const isAble = Boolean(window.PublicKeyCredential);
  form.querySelector("[data-unable]").hidden = isAble;
  for (const button of form.querySelectorAll("button:not([type=button])")) button.disabled = !isAble;
  form.addEventListener("submit", (event) => {
    if (form.elements.passkey.value) return;
    event.preventDefault();
    event.stopPropagation();
    ask(form);
  });
}
