import type { LeadField } from "../config.ts";
import type { Key } from "../i18n.ts";
import { h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { Icon } from "./icons.tsx";

const DEFAULT_FIELDS: LeadField[] = [{ name: "name" }, { name: "email", required: true }];
const TYPES: Record<string, LeadField["type"]> = { email: "email", phone: "tel" };
/** What a browser calls the fields that it has another word for. */
const AUTOCOMPLETE: Record<string, string> = { phone: "tel", company: "organization" };

/** Contact details, asked for in the place of the message field. */
export function LeadSheet(widget: Widget) {
  const { t, chat, config } = widget;
  const leads = config.leads;
  const errors = widget.ui.leadErrors;
  const first = widget.leadFirst();
  // Nobody is there: the form is all there is, and takes the question too.
  const only = widget.formOnly;
  const close = () => {
    if (first) widget.leadSkipped = true;
    widget.setSheet("none");
    // What was written before the form came up is still to be sent.
    if (first && widget.ui.draft.trim()) widget.say(widget.ui.draft.trim());
    if (first) widget.ui.draft = "";
  };
  const submit = (event: Event) => {
    event.preventDefault();
    const found = check(event.currentTarget as HTMLFormElement, t);
    widget.ui.leadErrors = found.errors;
    const wrong = Object.keys(found.errors)[0];
    if (wrong) return widget.afterDraw(() => widget.find(`[name="${CSS.escape(wrong)}"]`)?.focus());
    widget.giveLead(found.values);
    if (!only) close();
  };
  if (only && chat.state.leadGiven)
    return (
      <div class="bottom ended">
        <p role="status">{t("lead_done")}</p>
      </div>
    );
  return (
    <form class="sheet" noValidate onSubmit={submit} aria-label={leads?.title ?? t("lead")}>
      <h3>{leads?.title ?? t(first ? "lead_before" : "lead")}</h3>
      <p>{t("lead_intro")}</p>
      {(leads?.fields ?? DEFAULT_FIELDS).map((field) => (
        <Field key={field.name} widget={widget} field={field} error={errors[field.name]} />
      ))}
      {only && (
        <label>
          {t("message")}
          <textarea name="message" rows={2} maxLength={1000} />
        </label>
      )}
      <Consent widget={widget} error={errors.consent} />
      <div class="row">
        {!only && (
          <button class="plain" onClick={close}>
            {t(first ? "skip" : "back")}
          </button>
        )}
        <button type="submit" class="solid">
          {t("submit")}
        </button>
      </div>
      {chat.state.link === "offline" && <small>{t("queued")}</small>}
    </form>
  );
}

function Field({ widget, field, error }: { widget: Widget; field: LeadField; error?: string }) {
  const { t, chat } = widget;
  const { name, required } = field;
  const label = field.label || t(name as Key) || name;
  const given = (chat.context.lead as Record<string, string> | undefined)?.[name];
  return (
    <label>
      {label}
      {required && <span aria-hidden="true"> *</span>}
      <input
        name={name}
        type={field.type ?? TYPES[name] ?? "text"}
        autocomplete={AUTOCOMPLETE[name] ?? name}
        required={required}
        maxLength={200}
        defaultValue={given}
        aria-invalid={Boolean(error)}
        aria-describedby={error && `lead-${name}`}
      />
      {error && (
        <small class="error" id={`lead-${name}`}>
          <Icon name="warn" size={14} /> {error}
        </small>
      )}
    </label>
  );
}

function Consent({ widget, error }: { widget: Widget; error?: string }) {
  const leads = widget.config.leads;
  if (!leads?.consent) return null;
  if (!leads.consent_required) return <small dir="auto">{leads.consent}</small>;
  return (
    <label class="tick">
      <input name="consent" type="checkbox" aria-invalid={Boolean(error)} aria-describedby="lead-consent" />
      <span>{leads.consent}</span>
      {error && (
        <small class="error" id="lead-consent">
          {error}
        </small>
      )}
    </label>
  );
}

function check(form: HTMLFormElement, t: Widget["t"]) {
  const values: Record<string, string> = {};
  const errors: Record<string, string> = {};
  for (const input of form.querySelectorAll<HTMLInputElement>("input, textarea")) {
    const value = input.value.trim();
    if (input.type === "checkbox") {
      if (!input.checked) errors.consent = t("consent_needed");
    } else if (!value) {
      if (input.required) errors[input.name] = t("required");
    } else if (input.type === "email" && !/^\S+@\S+\.\S+$/.test(value))
      errors[input.name] = t("invalid_email");
    else values[input.name] = value;
  }
  return { values, errors };
}
