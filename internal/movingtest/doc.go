// Package movingtest moves the visitors of real apps to Satchel: one that keeps its
// sessions with scs in Redis, and one with gorilla/sessions, while old and new
// instances run side by side. It has no code but tests, and a go.mod of its own for
// those libraries.
package movingtest
