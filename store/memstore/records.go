package memstore

import "hash/maphash"

const (
	maxParts = 64
	// minPart is the least share of the bound that a part of its own is worth:
	// with smaller ones, chance would fill some long before the others.
	minPart = 1024
)

// partsFor says over how many parts a bound is spread.
func partsFor(maxRecords int) int {
	return min(max(maxRecords/minPart, 1), maxParts)
}

// records is all records, spread over parts by their ids.
type records struct {
	seed  maphash.Seed
	parts []*part
}

func newRecords(c clock, maxRecords int) *records {
	r := &records{seed: maphash.MakeSeed(), parts: make([]*part, partsFor(maxRecords))}
	for i := range r.parts {
		share := maxRecords / len(r.parts)
		if i < maxRecords%len(r.parts) {
			share++
		}
		r.parts[i] = newPart(c, share)
	}
	return r
}

func (r *records) part(id string) *part {
	return r.parts[maphash.String(r.seed, id)%uint64(len(r.parts))]
}
