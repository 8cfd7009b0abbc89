// Package scsstoretest runs the conformance suite over scs's own stores for Redis
// and for databases, each on the real thing. It has no code but tests, and a go.mod
// of its own for the drivers.
package scsstoretest
