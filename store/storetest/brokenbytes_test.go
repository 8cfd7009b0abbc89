package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gosatchel/satchel/store"
)

func brokenBytes() []broken {
	return []broken{
		{
			fault: "takes a record without data for none",
			red:   "data-empty swap-replace",
			open: with(func(r *reference, a *altered) {
				a.find = func(ctx context.Context, id string) (store.Record, error) {
					found, err := r.Find(ctx, id)
					if err == nil && len(found.Data) == 0 {
						return store.Record{}, store.ErrNotFound
					}
					return found, err
				}
			}),
		},
		{
			fault: "refuses more than 64 KiB",
			red:   "data-large",
			open: with(func(r *reference, a *altered) {
				a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
					if len(next.Data) > 64<<10 {
						return errors.New("value too large for column")
					}
					return r.Swap(ctx, id, prev, next)
				}
			}),
		},
		{
			fault: "cuts data after 64 KiB",
			red:   "data-large",
			open:  withData(func(data []byte) []byte { return data[:min(len(data), 64<<10)] }),
		},
		{
			fault: "ends data at a zero byte",
			red:   "data-bytes",
			open: withData(func(data []byte) []byte {
				before, _, _ := bytes.Cut(data, []byte{0})
				return before
			}),
		},
		{
			fault: "makes data valid UTF-8",
			red:   "data-bytes",
			open:  withData(func(data []byte) []byte { return bytes.ToValidUTF8(data, []byte("?")) }),
		},
		{
			fault: "trims data",
			red:   "data-bytes",
			open:  withData(bytes.TrimSpace),
		},
		{
			fault: "takes a version that begins with zeros for none",
			red:   "version-bytes",
			open: with(func(r *reference, a *altered) {
				a.find = func(ctx context.Context, id string) (store.Record, error) {
					found, err := r.Find(ctx, id)
					if err == nil && bytes.Equal(found.Version[:8], make([]byte, 8)) {
						return store.Record{}, store.ErrNotFound
					}
					return found, err
				}
			}),
		},
		{fault: "makes ids lower case", red: "id-bytes id-distinct index-bytes", open: withIDs(strings.ToLower)},
		{fault: "makes ids valid UTF-8", red: "id-bytes", open: withIDs(func(id string) string { return strings.ToValidUTF8(id, "?") })},
		{fault: "trims ids", red: "id-bytes id-distinct", open: withIDs(strings.TrimSpace)},
		{fault: "cuts ids after 255 bytes", red: "id-distinct index-bytes", open: withIDs(func(id string) string { return id[:min(len(id), 255)] })},
		{
			fault: "ends ids at a zero byte",
			red:   "id-distinct index-bytes",
			open: withIDs(func(id string) string {
				before, _, _ := strings.Cut(id, "\x00")
				return before
			}),
		},
	}
}

// withData makes a store that keeps other data than it was given.
func withData(alter func([]byte) []byte) func() store.Store {
	return with(func(r *reference, a *altered) {
		a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
			next.Data = alter(next.Data)
			return r.Swap(ctx, id, prev, next)
		}
	})
}

// withIDs makes a store that files records under other ids than it was given.
func withIDs(alter func(string) string) func() store.Store {
	return with(func(r *reference, a *altered) {
		a.find = func(ctx context.Context, id string) (store.Record, error) { return r.Find(ctx, alter(id)) }
		a.swap = func(ctx context.Context, id string, prev store.Version, next store.Record) error {
			return r.Swap(ctx, alter(id), prev, next)
		}
		a.touch = func(ctx context.Context, id string, v store.Version, ttl time.Duration) error {
			return r.Touch(ctx, alter(id), v, ttl)
		}
		a.del = func(ctx context.Context, id string) error { return r.Delete(ctx, alter(id)) }
		// The index calls its ids what it was told to, and finds their records.
		a.owned = func(ctx context.Context, owner string) ([]store.Entry, error) {
			owned, err := r.Owned(ctx, owner)
			for i := range owned {
				owned[i].Record, _ = r.Find(ctx, alter(owned[i].ID))
			}
			return owned, err
		}
	})
}
