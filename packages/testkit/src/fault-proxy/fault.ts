/** Which way something goes between a client and its server. */
export type Direction = 'to-client' | 'to-server'

/** What meets those who dial; lines that are up go on. */
export type DoorFault =
  /** Nothing listens. */
  | { readonly is: 'refuse' }
  /** The connection is accepted, and that is all. */
  | { readonly is: 'hang' }
  /** The connection is accepted and closed at once. */
  | { readonly is: 'close' }

/** What meets every line: those that are up, and new ones. */
export type LineFault =
  /** In the middle of the next message that goes this way, both ends are closed. */
  | { readonly is: 'cut'; readonly direction: Direction }
  /** All that is sent, either way, comes so much later. */
  | { readonly is: 'delay'; readonly ms: number }
  /** Each way takes so many bytes a second and no more. */
  | { readonly is: 'throttle'; readonly bytesPerSecond: number }
  /** Nothing goes this way any more, nor a farewell: a cut network. */
  | { readonly is: 'freeze'; readonly direction: Direction | 'both' }
  /** Both ends get a RST. */
  | { readonly is: 'reset' }
  /** Whoever lies in this direction hears a farewell (FIN), and may go on sending. */
  | { readonly is: 'half-close'; readonly direction: Direction }

export type Fault = DoorFault | LineFault
