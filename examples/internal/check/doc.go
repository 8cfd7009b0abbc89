// Package check is what the tests of the examples share: what every one of them
// promises of its program and of its requests.
package check
