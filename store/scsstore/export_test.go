package scsstore

// Locks returns how many ids have a lock.
func (s *Store) Locks() int {
	s.locks.mu.Lock()
	defer s.locks.mu.Unlock()
	return len(s.locks.used)
}

// TokenOf returns what id is called in the scs store.
func TokenOf(id string) string { return tokenOf(id) }
