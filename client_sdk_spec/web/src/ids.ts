/** Random ids: lower-case hex, never all zeros. */

const hex = (bytes: number): string => {
  let text = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(bytes))) text += byte.toString(16).padStart(2, "0");
  return /[1-9a-f]/.test(text) ? text : hex(bytes);
};

export const newTraceId = (): string => hex(16);
export const newSpanId = (): string => hex(8);
/** Of a batch: 128 random bits. */
export const newBatchId = newTraceId;
/** W3C `rv`: 56 random bits. */
export const newRandomness = (): string => hex(7);
