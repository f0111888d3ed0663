// Package transporttest checks implementations of engineio.Transport.
//
// The author of a transport brings the server's side, the transport itself, and
// the smallest client that speaks it:
//
//	func TestTransport(t *testing.T) {
//		transporttest.Run(t, transporttest.Subject{
//			Transport: mine.Transport{},
//			Dial:      func(ctx context.Context, addr, query string) (transporttest.Client, error) { … },
//		})
//	}
//
// Run finds links that lose, double, reorder or change packets, that block
// their senders, ignore the write timeout, outlive their session, take more
// than Port.MaxPayload, do not notice a client that left, or leave goroutines
// behind. The transports of package engineio pass it.
package transporttest
