// Package faulttest puts a network that misbehaves between the sessions and a real
// Redis, and checks that nothing leaks. It has no code but tests, and a go.mod of its
// own for what they need.
package faulttest
