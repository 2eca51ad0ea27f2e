/** gzip, off the main thread: `CompressionStream` does its work elsewhere. */

const through = async (bytes: Bytes, stream: CompressionStream | DecompressionStream): Promise<Bytes> =>
  new Uint8Array(await new Response(new Response(bytes).body!.pipeThrough(stream)).arrayBuffer());

export type Bytes = Uint8Array<ArrayBuffer>;

/** The body as it is sent: compressed where the browser can, else as it is. */
export async function gzip(body: Bytes): Promise<Bytes> {
  if (typeof CompressionStream === "undefined") return body;
  try {
    return await through(body, new CompressionStream("gzip"));
  } catch {
    return body;
  }
}

/** The text of a body, compressed or not. */
export async function inflate(body: Bytes): Promise<string> {
  const plain = body[0] === 0x1f ? await through(body, new DecompressionStream("gzip")) : body;
  return new TextDecoder().decode(plain);
}
