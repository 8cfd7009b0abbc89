package memstore_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
)

func Example() {
	s := memstore.New(memstore.MaxRecords(100_000))
	defer s.Close()
	ctx := context.Background()

	first := store.Record{Version: newVersion(), Data: []byte("1 apple"), TTL: time.Hour}
	if err := s.Swap(ctx, "id", store.Version{}, first); err != nil {
		fmt.Println(err)
		return
	}

	// Two requests have read the first version. One of them is faster.
	faster := store.Record{Version: newVersion(), Data: []byte("2 apples"), TTL: time.Hour}
	slower := store.Record{Version: newVersion(), Data: []byte("1 apple, 1 pear"), TTL: time.Hour}
	fmt.Println(s.Swap(ctx, "id", first.Version, faster))

	err := s.Swap(ctx, "id", first.Version, slower)
	var conflict *store.Conflict
	if errors.As(err, &conflict) {
		fmt.Printf("begin again with %s\n", conflict.Current.Data)
	}
	// Output:
	// <nil>
	// begin again with 2 apples
}

func newVersion() (v store.Version) {
	rand.Read(v[:])
	return v
}
