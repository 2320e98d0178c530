/** The congestion window at the beginning, for workloads over a distance: Linux begins with ten segments (RFC 6928, section 2). */
export const initialWindowBytes = 10 * 1448;
/** The time after which an idle connection loses its window, in milliseconds: on Linux a retransmission timeout, which is 200 ms at least. */
export const windowForgottenMs = 250;
