/** The link of the far workloads: Linux begins with ten segments (RFC 6928, section 2). */
export const initialWindowBytes = 10 * 1448;
/** Milliseconds: Linux forgets a window after a retransmission timeout, which is 200 ms at least. */
export const windowForgottenMs = 250;
