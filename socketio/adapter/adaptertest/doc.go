// Package adaptertest checks adapters: whoever writes one runs [Run], or
// [RunCluster] if it connects several servers, in a test of their own.
//
//	func TestAdapter(t *testing.T) {
//		adaptertest.RunCluster(t, adaptertest.Cluster{
//			Servers: 3,
//			Start: func(t testing.TB) adapter.New {
//				bus := mybus.Start(t)
//				return mybus.NewAdapter(bus)
//			},
//		})
//	}
//
// What is checked is what the package adapter promises: who gets a broadcast and
// who doesn't, order, acknowledgements and what is missing of them, the order of
// hooks, what happens after Leave, Remove and Close, and, if the adapter has
// them, looking up, moving and disconnecting many sockets, server-side events
// and connection state recovery. Run the test with -race.
//
// [Server] and [Socket] stand for a server and its sockets without a network.
// They are useful in other tests of an adapter too.
package adaptertest
