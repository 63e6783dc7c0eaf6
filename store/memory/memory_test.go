package memory_test

import (
	"testing"

	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/store/storetest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.DB { return memory.New() })
}

func TestClock(t *testing.T) { storetest.Clock(t, memory.New) }
