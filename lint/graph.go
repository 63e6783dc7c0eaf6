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
	w := &walker{edges: g.out, mark: make([]int32, len(g.names)), epoch: 1}
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

// reaching makes a walker that is asked many times what lies behind a node.
func (g *graph) reaching(edges [][]int) *walker {
	return &walker{edges: edges, mark: make([]int32, len(g.names))}
}

// walker goes depth first without recursion, so that no chain is too long. The
// mark of a node is the epoch in which it was done, or its negative while the
// node is open.
type walker struct {
	edges  [][]int
	mark   []int32
	epoch  int32
	todo   []visiting
	result []int
	steps  int // nodes that were looked at, in all epochs
}

type visiting struct {
	node    int
	leaving bool
}

// behind lists all that a node leads to, directly or not, the farthest first.
// The list is good until the next call.
func (w *walker) behind(id int) []int {
	w.epoch++
	w.result = w.result[:0]
	if len(w.edges[id]) == 0 {
		return nil
	}
	w.from(id)
	return w.result[:len(w.result)-1] // the node itself comes last
}

func (w *walker) from(start int) {
	w.todo = append(w.todo[:0], visiting{node: start})
	for len(w.todo) > 0 {
		w.steps++
		top := &w.todo[len(w.todo)-1]
		n := top.node
		if top.leaving {
			w.todo = w.todo[:len(w.todo)-1]
			w.mark[n] = w.epoch
			w.result = append(w.result, n)
			continue
		}
		if w.mark[n] == w.epoch || w.mark[n] == -w.epoch {
			w.todo = w.todo[:len(w.todo)-1]
			continue
		}
		w.mark[n] = -w.epoch
		top.leaving = true
		for i := len(w.edges[n]) - 1; i >= 0; i-- {
			if to := w.edges[n][i]; w.mark[to] != w.epoch {
				w.todo = append(w.todo, visiting{node: to})
			}
		}
	}
}
