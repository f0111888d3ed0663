package client

// Reopen is Disconnect and Open in one breath, at the moment when the connection
// that was being made is there and nobody knows of it yet. It takes the lock before
// it closes locked, and goes on when ready is closed.
func (c *Client) Reopen(locked chan<- struct{}, ready <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(locked)
	<-ready
	why := &DisconnectError{Reason: ClientDisconnect}
	c.Socket.disconnect(why, why)
	c.want(c.Socket)
}

// Welcome lets a socket in that has asked, and calls f before anybody has seen that.
func (s *Socket) Welcome(f func()) {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	s.connected("id", "")
	f()
}
