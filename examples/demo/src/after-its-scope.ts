/** How the label ends of a lease that was asked for when the scope had closed: it belongs to no request any more. */
export const AFTER_ITS_SCOPE = / \(after its scope closed\)$/
