// Passkeys, the one thing here that needs script. A form with `data-passkey` says what to do: `use` or `create` one at
// the press of its button, or `autofill`, which waits until the person picks one in the e-mail field. The browser's
// answer is posted as the field `response`.
(() => {
  const { browserSupportsWebAuthn, browserSupportsWebAuthnAutofill, startAuthentication, startRegistration } =
    window.SimpleWebAuthnBrowser;

  function post(form, credential) {
    form.elements.response.value = JSON.stringify(credential);
    form.submit();
  }

  async function autofill(form, optionsJSON) {
    if (!(await browserSupportsWebAuthnAutofill())) return;
    try {
      post(form, await startAuthentication({ optionsJSON, useBrowserAutofill: true }));
    } catch {
      // Nobody picked one, and the page works as it is.
    }
  }

  function onButton(form, optionsJSON) {
    const button = form.querySelector("button[type=button]");
    const note = form.querySelector("[role=status] > *");
    const say = (text) => {
      note.querySelector("p").textContent = text;
      note.hidden = text === "";
    };
    if (!browserSupportsWebAuthn()) return say(form.dataset.unsupported);
    button.hidden = false;
    const run = async () => {
      // Not `disabled`, which would take the focus away from whoever uses the keyboard.
      if (button.getAttribute("aria-disabled") === "true") return;
      button.setAttribute("aria-disabled", "true");
      say("");
      try {
        const start = form.dataset.passkey === "create" ? startRegistration : startAuthentication;
        post(form, await start({ optionsJSON }));
      } catch {
        say(form.dataset.canceled);
        button.removeAttribute("aria-disabled");
      }
    };
    button.addEventListener("click", run);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void run();
    });
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const optionsJSON = JSON.parse(form.dataset.options);
    if (form.dataset.passkey === "autofill") void autofill(form, optionsJSON);
    else onButton(form, optionsJSON);
  }
})();
