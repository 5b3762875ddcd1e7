package config

// maxDepth is how deep lists are expanded (rule 31).
const maxDepth = 10

// expansion warns of lists that contain themselves and of lists nested too
// deep (rule 31). A person's alias leads to the person, where expansion ends,
// so that only lists can form a cycle.
func (c *checker) expansion() {
	w := &listWalk{members: map[string][]string{}, depth: map[string]int{}}
	for _, l := range c.cfg.Lists {
		key := Canonical(l.Address)
		for _, m := range l.Members {
			w.members[key] = append(w.members[key], Canonical(m))
		}
	}
	for i, l := range c.cfg.Lists {
		key := Canonical(l.Address)
		f := at("list", i) + ".members"
		if w.reaches(key, key, map[string]bool{}) {
			c.warn(f, CodeListCycle, "Value", l.Address) // rule 31
		} else if w.deep(key, map[string]bool{}) > maxDepth {
			c.warn(f, CodeListDeep, "Value", l.Address, "Limit", maxDepth) // rule 31
		}
	}
}

// listWalk is the graph of the lists, by canonical address.
type listWalk struct {
	members map[string][]string
	depth   map[string]int
}

// reaches tells whether expanding from leads to goal again.
func (w *listWalk) reaches(from, goal string, seen map[string]bool) bool {
	for _, m := range w.members[from] {
		if m == goal {
			return true
		}
		if _, list := w.members[m]; list && !seen[m] {
			seen[m] = true
			if w.reaches(m, goal, seen) {
				return true
			}
		}
	}
	return false
}

// deep counts the lists on the longest path below and including key; lists on
// the path already do not count again, so that a cycle ends.
func (w *listWalk) deep(key string, path map[string]bool) int {
	if n, done := w.depth[key]; done {
		return n
	}
	if path[key] {
		return 0
	}
	path[key] = true
	longest := 0
	for _, m := range w.members[key] {
		if _, list := w.members[m]; list {
			longest = max(longest, w.deep(m, path))
		}
	}
	delete(path, key)
	w.depth[key] = longest + 1
	return longest + 1
}
