package memstore

// Entries returns how many entries the index holds, stale ones included.
func (s *Store) Entries() int {
	n := 0
	for _, p := range s.index.parts {
		p.mu.Lock()
		for _, entries := range p.owners {
			n += len(entries)
		}
		p.mu.Unlock()
	}
	return n
}

// Owners returns how many owners the index has heard of.
func (s *Store) Owners() int {
	n := 0
	for _, p := range s.index.parts {
		p.mu.Lock()
		n += len(p.owners)
		p.mu.Unlock()
	}
	return n
}
