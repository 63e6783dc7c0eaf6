package demo

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// An order of the sample backend.
type order struct {
	ID       string `json:"id"`
	Item     string `json:"item"`
	Quantity int    `json:"quantity"`
	State    string `json:"state"`
}

// maxOrders bounds what the sample backend remembers; the oldest go first.
const maxOrders = 1000

// orders is the sample backend: a shop's order desk that forgets on restart.
type orders struct {
	mu   sync.Mutex // guards what follows
	list []order
	next int
}

// Backend is the sample backend as a handler.
func Backend() http.Handler {
	o := &orders{next: 1003, list: []order{{"1001", "teapot", 2, "shipped"}, {"1002", "kettle", 1, "placed"}}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders", o.all)
	mux.HandleFunc("POST /orders", o.place)
	mux.HandleFunc("GET /orders/{id}", o.one)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	return mux
}

func (o *orders) all(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 {
		limit = 20
	}
	o.mu.Lock()
	list := slices.Clone(o.list)
	o.mu.Unlock()
	slices.Reverse(list)
	answer(w, http.StatusOK, list[:min(limit, len(list))])
}

func (o *orders) one(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.list, func(x order) bool { return x.ID == r.PathValue("id") })
	if i < 0 {
		answer(w, http.StatusNotFound, map[string]string{"error": "there is no such order"})
		return
	}
	answer(w, http.StatusOK, o.list[i])
}

func (o *orders) place(w http.ResponseWriter, r *http.Request) {
	var n order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&n); err != nil || n.Item == "" || n.Quantity < 1 {
		answer(w, http.StatusBadRequest, map[string]string{"error": "an order needs an item and a quantity of at least 1"})
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	n.ID, n.State = strconv.Itoa(o.next), "placed"
	o.next++
	o.list = append(o.list, n)
	if len(o.list) > maxOrders {
		o.list = slices.Delete(o.list, 0, len(o.list)-maxOrders)
	}
	answer(w, http.StatusCreated, n)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error here means the caller has gone
}
