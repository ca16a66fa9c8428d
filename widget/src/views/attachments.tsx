import { paint, type Upload } from "../files.ts";
import type { Attachment } from "../protocol.ts";
import { h } from "../vdom.ts";
import type { Widget } from "../widget.ts";
import { Icon, IconButton, Out } from "./icons.tsx";

const MB = 1_000_000;
const painted = new WeakSet<HTMLElement>();

/** The files of a message: pictures as they are, anything else by name. */
export function Attachments({ files }: { files: Attachment[] }) {
  return files.map(({ id, name, type, url }) => (
    <Out key={id} class="file" href={url} download={name}>
      {type.startsWith("image/") && (
        <canvas class="sr" role="img" aria-label={name} ref={(canvas) => paintOnce(canvas, url)} />
      )}
      <span>
        <Icon name="clip" size={16} /> {name}
      </span>
    </Out>
  ));
}

function paintOnce(canvas: HTMLCanvasElement, url: string): void {
  if (painted.has(canvas)) return;
  painted.add(canvas);
  void paint(canvas, url);
}

/** Take files in, those that will do; a word for the others. */
export function take(files: Iterable<File> | null | undefined, { chat, config, t }: Widget): void {
  const allowed = config.attachments;
  const all = [...(files ?? [])];
  if (!allowed || !all.length) return;
  const fits = all.filter(({ type }) => allowed.types.includes(type));
  const small = fits.filter(({ size }) => size <= allowed.max_bytes);
  if (small.length < all.length)
    chat.notify(
      t(fits.length < all.length ? "file_type" : "file_size", { size: Math.floor(allowed.max_bytes / MB) }),
    );
  if (small.length) chat.attach(small);
}

/** The files of the next message, and how far they are. */
export function Uploads(widget: Widget) {
  const { uploads } = widget.chat.state;
  if (!uploads.length) return null;
  return (
    <ul class="uploads">
      {uploads.map((upload) => (
        <UploadLine widget={widget} upload={upload} />
      ))}
    </ul>
  );
}

function UploadLine({ widget, upload }: { widget: Widget; upload: Upload }) {
  const { t, chat } = widget;
  const { file, done, error, progress } = upload;
  return (
    <li>
      <span dir="auto">{file.name}</span>
      {error && <small class="error">{error}</small>}
      {!done && !error && <progress value={progress} aria-label={t("uploading", { name: file.name })} />}
      <IconButton
        label={t("remove", { name: file.name })}
        icon="close"
        size={16}
        act={() => chat.detach(upload)}
      />
    </li>
  );
}

/** The clip beside the message field; nothing where the agent takes no files. */
export function Clip(widget: Widget) {
  const { attachments } = widget.config;
  if (!attachments) return null;
  return (
    <label class="icon-button clip" title={widget.t("attach")}>
      <input
        type="file"
        class="sr"
        multiple
        accept={attachments.types.join()}
        aria-label={widget.t("attach")}
        onChange={(event) => {
          take(event.currentTarget.files, widget);
          event.currentTarget.value = "";
        }}
      />
      <Icon name="clip" />
    </label>
  );
}
