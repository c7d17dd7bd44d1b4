package layer

import "testing"

type closing struct{ closed int }

func (c *closing) Close() { c.closed++ }

func TestInForce(t *testing.T) {
	var f InForce[*closing]
	first, second := new(closing), new(closing)
	f.Replace(first)
	got, over := f.Use()
	_, overToo := f.Use()
	f.Replace(second)
	if got != first || first.closed != 0 {
		t.Fatal("what is used was closed, or is another")
	}
	if now, over := f.Use(); now != second {
		t.Error("the earlier is still in force")
	} else {
		over()
	}
	over()
	if first.closed != 0 {
		t.Error("closed while one still uses it")
	}
	overToo()
	if first.closed != 1 || second.closed != 0 {
		t.Errorf("closed %d and %d times", first.closed, second.closed)
	}
	f.Close()
	if second.closed != 1 {
		t.Errorf("closed %d times at the end", second.closed)
	}
}
