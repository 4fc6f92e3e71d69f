package contract

import "fmt"

// verdict says what a change means to a program that uses the SDK, and why.
type verdict struct {
	breaking bool
	why      string
}

func breaks(format string, args ...any) verdict { return verdict{true, fmt.Sprintf(format, args...)} }
func passes(format string, args ...any) verdict { return verdict{false, fmt.Sprintf(format, args...)} }

// pointer reports whether the Go field of a property is a pointer. What may be anything is none:
// it is nil where there is nothing.
func pointer(required, null, anything bool) bool { return (!required || null) && !anything }

// retyped is the verdict on a property that becomes required or optional, nullable or not. The
// Go type has the last word: a field that turns into a pointer, or back, breaks the code that
// uses it.
func retyped(was, is bool, otherwise string) verdict {
	switch {
	case is && !was:
		return breaks("the Go field becomes a pointer")
	case was && !is:
		return breaks("the Go field is no pointer any more")
	default:
		return passes("%s", otherwise)
	}
}

func onPresence(answer, now, required bool) verdict {
	switch {
	case !now:
		return breaks("the Go field is gone")
	case answer:
		return passes("a field more to read")
	case required:
		return breaks("a request without it is refused from now on")
	default:
		return passes("a field more to send, and none has to")
	}
}

func onRequired(answer, required, null, anything bool) verdict {
	was, is := pointer(!required, null, anything), pointer(required, null, anything)
	switch {
	case required && answer:
		return retyped(was, is, "the Go type stays; an answer without it is an error from now on")
	case required:
		return breaks("a request without it is refused from now on")
	default:
		return retyped(was, is, "the Go type stays; nil has one reason more")
	}
}

func onNull(null, required, anything bool) verdict {
	return retyped(pointer(required, !null, anything), pointer(required, null, anything), "the Go type stays")
}

// onValues is the verdict on an enum or a constant.
func onValues(answer bool, had, has, gained, lost bool) verdict {
	switch {
	case !had:
		return breaks("the Go type becomes one of its own")
	case !has:
		return breaks("the Go type with its constants is gone")
	case lost && answer:
		return breaks("Go constants are gone, though nothing changes at run time")
	case lost:
		return breaks("Go constants are gone, and requests with them are refused")
	case gained && answer:
		return passes("more values may come; a switch over them needs its default")
	default:
		return passes("more values may be sent")
	}
}

func onRule(answer bool, key string, tighter bool) verdict {
	switch {
	case key == "default":
		return passes("the Go type stays; what leaves the value out means the new default")
	case key == "deprecated":
		return passes("a notice to the reader")
	case answer:
		return passes("the Go type stays")
	case tighter:
		return breaks("requests that were allowed are refused")
	default:
		return passes("requests that were refused are allowed")
	}
}
