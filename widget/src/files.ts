import type { Attachment } from "./protocol.ts";

/** A file on its way to the server. */
export interface Upload {
  file: File;
  /** 0 to 1. */
  progress: number;
  /** What the server made of it. */
  done?: Attachment;
  /** Why it cannot be sent, in a sentence. */
  error?: string;
  request?: XMLHttpRequest;
}

interface Hooks {
  url: string;
  token: string | undefined;
  conversation: string | undefined;
  changed(): void;
  /** The words for a failure that the server did not explain. */
  failed: string;
}

/** Send a file; `fetch` cannot tell how far it is, so an older request does it. */
export function send(upload: Upload, { url, token, conversation, changed, failed }: Hooks): void {
  const request = new XMLHttpRequest();
  const body = new FormData();
  body.append("conversation", conversation ?? "");
  body.append("file", upload.file);
  upload.request = request;
  upload.error = undefined;
  request.upload.onprogress = ({ loaded, total }) => {
    upload.progress = loaded / total;
    changed();
  };
  request.onloadend = () => {
    const answer = parsed(request.responseText);
    if (request.status === 201) upload.done = answer as unknown as Attachment;
    else upload.error = answer.detail ?? failed;
    changed();
  };
  request.open("POST", url);
  request.setRequestHeader("Authorization", `Bearer ${token}`);
  request.send(body);
}

function parsed(text: string): { detail?: string } {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/**
 * Draw a picture. It is fetched and painted, since a page's policy may allow pictures from nowhere else; what is no
 * picture leaves the canvas to its description.
 */
export async function paint(canvas: HTMLCanvasElement, url: string): Promise<void> {
  try {
    const answer = await fetch(url, { credentials: "omit" });
    const picture = await createImageBitmap(await answer.blob());
    Object.assign(canvas, { width: picture.width, height: picture.height });
    canvas.getContext("2d")?.drawImage(picture, 0, 0);
    canvas.className = "";
  } catch {
    // The link around it still leads to the file.
  }
}

/** Hand a file that was made in the browser to the visitor. */
export function save(content: Blob, name: string, place: ShadowRoot): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  place.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
