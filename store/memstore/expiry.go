package memstore

import "github.com/gosatchel/satchel/store"

// giveUp removes one live record to make room for another of the given rank, and
// reports whether there was one to give up. It is called under the lock, after
// removeExpired has found nothing: had it, there would be room.
func (p *part) giveUp(rank store.Rank) bool {
	for i := range p.ranks[:rank+1] {
		if !p.ranks[i].empty() {
			p.remove(p.ranks[i].first())
			return true
		}
	}
	return false
}

// removeExpired removes at most n expired records. It is called under the lock.
func (p *part) removeExpired(now instant, n int) {
	for i := range p.ranks {
		for n > 0 && p.ranks[i].soonest() <= now {
			p.remove(p.ranks[i].first())
			n--
		}
	}
}

// cleanUp takes one step of the clean-up.
func (p *part) cleanUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	p.alarm.rang()
	p.removeExpired(now, stepSize)
	for i := range p.ranks {
		p.alarm.set(now, p.ranks[i].soonest())
	}
}
