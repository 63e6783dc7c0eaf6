package lint

// A graph keeps which place depends on which, in the order they were added.
type graph struct {
	ids   map[string]int
	names []string
	out   [][]int
	in    [][]int
	edges map[[2]int]bool
}

func newGraph() *graph {
	return &graph{ids: make(map[string]int), edges: make(map[[2]int]bool)}
}

func (g *graph) node(name string) int {
	id, ok := g.ids[name]
	if !ok {
		id = len(g.names)
		g.ids[name] = id
		g.names = append(g.names, name)
		g.out = append(g.out, nil)
		g.in = append(g.in, nil)
	}
	return id
}

// edge says that one place depends on another.
func (g *graph) edge(from, to int) {
	if k := [2]int{from, to}; !g.edges[k] {
		g.edges[k] = true
		g.out[from] = append(g.out[from], to)
		g.in[to] = append(g.in[to], from)
	}
}

// order lists all nodes, what they depend on first; those nothing depends on
// are where it starts, and circles are cut where they are met.
func (g *graph) order() []int {
	w := walker{edges: g.out, done: make([]bool, len(g.names))}
	for id := range g.names {
		if len(g.in[id]) == 0 {
			w.from(id)
		}
	}
	for id := range g.names {
		w.from(id)
	}
	return w.result
}

// dependants are all nodes that depend on one, directly or not, the farthest first.
func (g *graph) dependants(id int) []int { return g.reach(g.in, id) }

// dependencies are all nodes that one depends on.
func (g *graph) dependencies(id int) []int { return g.reach(g.out, id) }

func (g *graph) reach(edges [][]int, id int) []int {
	if len(edges[id]) == 0 {
		return nil
	}
	w := walker{edges: edges, done: make([]bool, len(g.names))}
	w.from(id)
	return w.result[:len(w.result)-1] // the node itself comes last
}

// walker goes depth first without recursion, so that no chain is too long.
type walker struct {
	edges  [][]int
	done   []bool
	open   map[int]bool
	result []int
}

func (w *walker) from(start int) {
	if w.done[start] {
		return
	}
	w.open = make(map[int]bool)
	type step struct {
		node    int
		leaving bool
	}
	todo := []step{{node: start}}
	for len(todo) > 0 {
		top := &todo[len(todo)-1]
		n := top.node
		if top.leaving {
			todo = todo[:len(todo)-1]
			delete(w.open, n)
			if !w.done[n] {
				w.done[n] = true
				w.result = append(w.result, n)
			}
			continue
		}
		if w.done[n] || w.open[n] {
			todo = todo[:len(todo)-1]
			continue
		}
		w.open[n] = true
		top.leaving = true
		for i := len(w.edges[n]) - 1; i >= 0; i-- {
			if !w.done[w.edges[n][i]] {
				todo = append(todo, step{node: w.edges[n][i]})
			}
		}
	}
}
