package cluster

// Pending returns how many requests of ours, and broadcasts of others whose
// acknowledgements they wait for, are under way.
func (a *Adapter) Pending() (requests, asked int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.requests), len(a.asked)
}
