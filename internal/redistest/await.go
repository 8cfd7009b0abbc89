package redistest

import (
	"testing"
	"time"
)

const (
	awaitTimeout = 30 * time.Second
	pollInterval = 20 * time.Millisecond
)

// await polls until missing returns nil. Servers give no signal when they have
// come to an agreement.
func await(t testing.TB, what string, missing func() error) {
	t.Helper()
	deadline := time.Now().Add(awaitTimeout)
	for {
		err := missing()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("redistest: no %s after %v: %v", what, awaitTimeout, err)
		}
		time.Sleep(pollInterval)
	}
}
