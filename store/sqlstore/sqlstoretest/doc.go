// Package sqlstoretest tests sqlstore on a real PostgreSQL and a real SQLite. It has no
// code but tests, and a go.mod of its own for the drivers, which ask for a newer Go.
package sqlstoretest
