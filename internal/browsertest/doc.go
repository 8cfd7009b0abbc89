// Package browsertest runs the example programs and uses them as a visitor does,
// in a real browser. It is a module of its own, so that nobody else depends on
// what drives the browser.
package browsertest
