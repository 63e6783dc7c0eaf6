package gatehouse

//go:generate go run ./gen/docs
