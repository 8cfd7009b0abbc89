package memstore

import "container/heap"

// queued is what something carries that waits in a queue.
type queued struct {
	due instant
	pos int // in the queue
}

func (q *queued) place() *queued { return q }

// queue is a heap, the soonest due on top. Its elements know where they are,
// so that one can be moved or removed in O(log n) too.
type queue[T interface{ place() *queued }] struct {
	heap ordered[T]
}

// soonest returns when the first is due, or never.
func (q *queue[T]) soonest() instant {
	if q.empty() {
		return never
	}
	return q.first().place().due
}

func (q *queue[T]) empty() bool { return len(q.heap) == 0 }

// first returns the soonest due. The queue must not be empty.
func (q *queue[T]) first() T { return q.heap[0] }

func (q *queue[T]) add(e T)    { heap.Push(&q.heap, e) }
func (q *queue[T]) remove(e T) { heap.Remove(&q.heap, e.place().pos) }

// move gives e, which is in the queue, another time.
func (q *queue[T]) move(e T, due instant) {
	e.place().due = due
	heap.Fix(&q.heap, e.place().pos)
}

// ordered implements heap.Interface.
type ordered[T interface{ place() *queued }] []T

func (o ordered[T]) Len() int           { return len(o) }
func (o ordered[T]) Less(i, j int) bool { return o[i].place().due < o[j].place().due }

func (o ordered[T]) Swap(i, j int) {
	o[i], o[j] = o[j], o[i]
	o[i].place().pos, o[j].place().pos = i, j
}

func (o *ordered[T]) Push(e any) {
	e.(T).place().pos = len(*o)
	*o = append(*o, e.(T))
}

func (o *ordered[T]) Pop() any {
	var none T
	last := len(*o) - 1
	e := (*o)[last]
	(*o)[last] = none // or the array would keep it alive
	*o = (*o)[:last]
	return e
}
