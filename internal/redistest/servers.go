package redistest

import (
	"fmt"
	"slices"
)

func addrs(servers []*Server) []string {
	var all []string
	for _, s := range servers {
		all = append(all, s.Addr())
	}
	return all
}

// answering returns the servers that were neither ended nor frozen.
func answering(servers []*Server) []*Server {
	return slices.DeleteFunc(slices.Clone(servers), func(s *Server) bool { return !s.answers() })
}

// find returns the server that has the address addr.
func find(servers []*Server, addr string) (*Server, error) {
	i := slices.IndexFunc(servers, func(s *Server) bool { return s.Addr() == addr })
	if i < 0 {
		return nil, fmt.Errorf("no node has the address %q", addr)
	}
	return servers[i], nil
}
