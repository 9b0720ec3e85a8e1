package bus

import (
	"errors"
	"testing"
)

func TestPattern(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, pattern, event string
		want                 bool
	}{
		// Exact values.
		{"string", `{"source":["a"]}`, `{"source":"a"}`, true},
		{"another string", `{"source":["a"]}`, `{"source":"b"}`, false},
		{"one of two strings", `{"source":["a","b"]}`, `{"source":"b"}`, true},
		{"case matters", `{"source":["A"]}`, `{"source":"a"}`, false},
		{"case of a name matters", `{"Source":["a"]}`, `{"source":"a"}`, false},
		{"the empty string", `{"s":[""]}`, `{"s":""}`, true},
		{"the empty string is not null", `{"s":[""]}`, `{"s":null}`, false},
		{"null", `{"s":[null]}`, `{"s":null}`, true},
		{"null is not absent", `{"s":[null]}`, `{}`, false},
		{"null is not an empty array", `{"s":[null]}`, `{"s":[]}`, false},
		{"true", `{"b":[true]}`, `{"b":true}`, true},
		{"true is not a string", `{"b":[true]}`, `{"b":"true"}`, false},
		{"number", `{"n":[5]}`, `{"n":5}`, true},
		{"300 is 300.0", `{"n":[300]}`, `{"n":300.0}`, true},
		{"300 is 3.0e2", `{"n":[300]}`, `{"n":3.0e2}`, true},
		{"a number is not its text", `{"n":[5]}`, `{"n":"5"}`, false},
		{"large numbers are compared as written", `{"n":[9007199254740993]}`, `{"n":9007199254740992}`, false},
		{"all fields must match", `{"a":["1"],"b":["2"]}`, `{"a":"1","b":"3"}`, false},
		{"a missing field", `{"a":["1"],"b":["2"]}`, `{"a":"1"}`, false},
		{"fields that the pattern does not name", `{"a":["1"]}`, `{"a":"1","b":{"c":[1,2]}}`, true},
		{"nested", `{"detail":{"state":{"code":["x"]}}}`, `{"detail":{"state":{"code":"x"}}}`, true},
		{"nested where the event has a scalar", `{"detail":{"state":{"code":["x"]}}}`, `{"detail":{"state":"x"}}`, false},
		{"an object is no leaf", `{"detail":["x"]}`, `{"detail":{"x":"x"}}`, false},

		// Arrays of the event.
		{"array with a common element", `{"r":["b","z"]}`, `{"r":["a","b"]}`, true},
		{"array without a common element", `{"r":["z"]}`, `{"r":["a","b"]}`, false},
		{"array in an array", `{"r":["b"]}`, `{"r":[["a"],["b"]]}`, true},
		{"array of objects", `{"i":{"id":["2"]}}`, `{"i":[{"id":"1"},{"id":"2"}]}`, true},
		{"one element must match all", `{"i":{"id":["1"],"k":["y"]}}`, `{"i":[{"id":"1","k":"x"},{"id":"2","k":"y"}]}`, false},
		{"one element matches all", `{"i":{"id":["2"],"k":["y"]}}`, `{"i":[{"id":"1","k":"x"},{"id":"2","k":"y"}]}`, true},
		{"fields of two arrays are independent", `{"i":{"a":["1"]},"j":{"a":["2"]}}`, `{"i":[{"a":"9"},{"a":"1"}],"j":[{"a":"2"}]}`, true},

		// Names with dots.
		{"dot in the pattern", `{"detail":{"state.status":["x"]}}`, `{"detail":{"state":{"status":"x"}}}`, true},
		{"dot in the event", `{"detail":{"state":{"status":["x"]}}}`, `{"detail":{"state.status":"x"}}`, true},
		{"dot in both", `{"a.b":["x"]}`, `{"a.b":"x"}`, true},
		{"dot in the pattern, too deep", `{"detail":{"state.status":{"status":["x"]}}}`, `{"detail":{"state":{"status":"x"}}}`, false},
		{"dot in the event, too deep", `{"detail":{"state":{"status":["x"]}}}`, `{"detail":{"state.status":{"status":"x"}}}`, false},

		// exists.
		{"exists", `{"d":{"k":[{"exists":true}]}}`, `{"d":{"k":"x"}}`, true},
		{"exists with null", `{"k":[{"exists":true}]}`, `{"k":null}`, true},
		{"exists, absent", `{"k":[{"exists":true}]}`, `{"j":1}`, false},
		{"exists knows leaves only", `{"k":[{"exists":true}]}`, `{"k":{"S":"x"}}`, false},
		{"an empty array does not exist", `{"k":[{"exists":true}]}`, `{"k":[]}`, false},
		{"exists in one of several objects", `{"a":{"id":[{"exists":true}]}}`, `{"a":[{"x":1},{"id":"y"}]}`, true},
		{"absent", `{"replay-name":[{"exists":false}]}`, `{"source":"a"}`, true},
		{"absent, but there", `{"replay-name":[{"exists":false}]}`, `{"replay-name":"r"}`, false},
		{"absent, but null", `{"k":[{"exists":false}]}`, `{"k":null}`, false},
		{"absent with its parent", `{"d":{"n":{"k":[{"exists":false}]}}}`, `{"d":{"o":1}}`, true},
		{"absent as an object is no leaf", `{"k":[{"exists":false}]}`, `{"k":{"c":1}}`, true},
		{"absent in some of several objects", `{"a":{"id":[{"exists":false}]}}`, `{"a":[{"x":1},{"id":"y"}]}`, false},
		{"absent or a value: absent", `{"k":["x",{"exists":false}]}`, `{}`, true},
		{"absent or a value: the value", `{"k":["x",{"exists":false}]}`, `{"k":"x"}`, true},
		{"absent or a value: another value", `{"k":["x",{"exists":false}]}`, `{"k":"y"}`, false},
		{"absent below an empty array", `{"a":{"id":[{"exists":false}]}}`, `{"a":[]}`, true},
		{"absent under a name with a dot", `{"a":{"b":[{"exists":false}]}}`, `{"a.b":1}`, false},

		// prefix, suffix, equals-ignore-case.
		{"prefix", `{"source":[{"prefix":"purposepath."}]}`, `{"source":"purposepath.goals"}`, true},
		{"prefix, longer than the value", `{"source":[{"prefix":"purposepath."}]}`, `{"source":"purpose"}`, false},
		{"prefix of no string", `{"n":[{"prefix":"1"}]}`, `{"n":12}`, false},
		{"the empty prefix", `{"s":[{"prefix":""}]}`, `{"s":"x"}`, true},
		{"prefix in any case", `{"s":[{"prefix":{"equals-ignore-case":"EVENT"}}]}`, `{"s":"eventBridge"}`, true},
		{"prefix in any case, another", `{"s":[{"prefix":{"equals-ignore-case":"EVENT"}}]}`, `{"s":"aEvent"}`, false},
		{"suffix", `{"s":[{"suffix":".png"}]}`, `{"s":"a.png"}`, true},
		{"suffix, another", `{"s":[{"suffix":".png"}]}`, `{"s":"a.png.bak"}`, false},
		{"suffix in any case", `{"s":[{"suffix":{"equals-ignore-case":".PNG"}}]}`, `{"s":"ä.pNg"}`, true},
		{"any case", `{"s":[{"equals-ignore-case":"ALICE"}]}`, `{"s":"alice"}`, true},
		{"any case, another", `{"s":[{"equals-ignore-case":"ALICE"}]}`, `{"s":"bob"}`, false},

		// wildcard.
		{"wildcard in the middle", `{"f":[{"wildcard":"dir/*.png"}]}`, `{"f":"dir/a.png"}`, true},
		{"wildcard for nothing", `{"f":[{"wildcard":"dir/*.png"}]}`, `{"f":"dir/.png"}`, true},
		{"wildcard, ends may not overlap", `{"f":[{"wildcard":"ab*ba"}]}`, `{"f":"aba"}`, false},
		{"several wildcards", `{"f":[{"wildcard":"a*b*c"}]}`, `{"f":"a1b2b3c"}`, true},
		{"several wildcards, order", `{"f":[{"wildcard":"*b*a*"}]}`, `{"f":"ab"}`, false},
		{"escaped asterisk", `{"f":[{"wildcard":"a\\*b"}]}`, `{"f":"a*b"}`, true},
		{"escaped asterisk is none", `{"f":[{"wildcard":"a\\*b"}]}`, `{"f":"axb"}`, false},
		{"escaped backslash", `{"f":[{"wildcard":"a\\\\*"}]}`, `{"f":"a\\b"}`, true},
		{"no wildcard at all", `{"f":[{"wildcard":"abc"}]}`, `{"f":"abcd"}`, false},

		// anything-but.
		{"anything but a string", `{"s":[{"anything-but":"x"}]}`, `{"s":"y"}`, true},
		{"anything but this string", `{"s":[{"anything-but":"x"}]}`, `{"s":"x"}`, false},
		{"anything but a string: null", `{"s":[{"anything-but":"x"}]}`, `{"s":null}`, true},
		{"anything but a string: a number", `{"s":[{"anything-but":"1"}]}`, `{"s":1}`, true},
		{"anything but needs something", `{"s":[{"anything-but":"x"}]}`, `{}`, false},
		{"anything but a number", `{"n":[{"anything-but":123}]}`, `{"n":123.0}`, false},
		{"anything but zero", `{"n":[{"anything-but":0}]}`, `{"n":1}`, true},
		{"anything but a list", `{"s":[{"anything-but":["x","y"]}]}`, `{"s":"y"}`, false},
		{"anything but a list: another", `{"s":[{"anything-but":["x","y"]}]}`, `{"s":"z"}`, true},
		{"anything but numbers", `{"n":[{"anything-but":[100,200]}]}`, `{"n":300}`, true},
		{"anything but, one element of an array", `{"s":[{"anything-but":"x"}]}`, `{"s":["x","y"]}`, true},
		{"anything but a prefix", `{"s":[{"anything-but":{"prefix":"init"}}]}`, `{"s":"initialised"}`, false},
		{"anything but prefixes", `{"s":[{"anything-but":{"prefix":["a","b"]}}]}`, `{"s":"ca"}`, true},
		{"anything but a suffix", `{"s":[{"anything-but":{"suffix":".txt"}}]}`, `{"s":"a.txt"}`, false},
		{"anything but suffixes", `{"s":[{"anything-but":{"suffix":[".txt",".rtf"]}}]}`, `{"s":"a.png"}`, true},
		{"anything but, any case", `{"s":[{"anything-but":{"equals-ignore-case":["x","y"]}}]}`, `{"s":"Y"}`, false},
		{"anything but a wildcard", `{"s":[{"anything-but":{"wildcard":"*/lib/*"}}]}`, `{"s":"dir/lib/x"}`, false},
		{"anything but wildcards", `{"s":[{"anything-but":{"wildcard":["*/lib/*","*/bin/*"]}}]}`, `{"s":"dir/src/x"}`, true},
		{"anything but the empty wildcard", `{"s":[{"anything-but":{"wildcard":""}}]}`, `{"s":"x"}`, true},

		// numeric.
		{"numeric =", `{"n":[{"numeric":["=",3.018e2]}]}`, `{"n":301.8}`, true},
		{"numeric range", `{"n":[{"numeric":[">",0,"<=",5]}]}`, `{"n":5}`, true},
		{"numeric range, below", `{"n":[{"numeric":[">",0,"<=",5]}]}`, `{"n":0}`, false},
		{"numeric range, above", `{"n":[{"numeric":[">=",0,"<",5]}]}`, `{"n":5.0}`, false},
		{"numeric <", `{"n":[{"numeric":["<",10]}]}`, `{"n":-10}`, true},
		{"numeric >, integer and fraction", `{"n":[{"numeric":[">",100]}]}`, `{"n":101.0}`, true},
		{"numeric of a string", `{"n":[{"numeric":[">",0]}]}`, `{"n":"1"}`, false},
		{"numeric of null", `{"n":[{"numeric":["<",1]}]}`, `{"n":null}`, false},

		// cidr.
		{"IPv4 block", `{"ip":[{"cidr":"10.0.0.0/24"}]}`, `{"ip":"10.0.0.255"}`, true},
		{"IPv4 block, outside", `{"ip":[{"cidr":"10.0.0.0/24"}]}`, `{"ip":"10.0.1.0"}`, false},
		{"IPv4 block, no address", `{"ip":[{"cidr":"10.0.0.0/24"}]}`, `{"ip":"here"}`, false},
		{"IPv4 block, a number", `{"ip":[{"cidr":"10.0.0.0/24"}]}`, `{"ip":10}`, false},
		{"IPv6 block", `{"ip":[{"cidr":"2001:db8:1234:1a00::/56"}]}`, `{"ip":"2001:db8:1234:1a00::1"}`, true},
		{"IPv6 block, outside", `{"ip":[{"cidr":"2001:db8:1234:1a00::/56"}]}`, `{"ip":"2001:db9::1"}`, false},

		// $or.
		{"$or, the second", `{"d":{"$or":[{"c":[1]},{"e":[{"numeric":["<",10]}]}]}}`, `{"d":{"c":0,"e":0}}`, true},
		{"$or, none", `{"$or":[{"c":[1]},{"e":[2]}]}`, `{"c":2,"e":1}`, false},
		{"$or and a field", `{"s":["a"],"$or":[{"c":[1]},{"e":[2]}]}`, `{"s":"b","c":1}`, false},
		{"$or with an and inside", `{"$or":[{"c":[1],"e":[2]},{"f":[3]}]}`, `{"c":1,"e":3}`, false},
		{"$or in $or", `{"$or":[{"c":[1],"$or":[{"x":[1]},{"y":[1]}]},{"f":[3]}]}`, `{"c":1,"y":1}`, true},
		{"$or within one element of an array", `{"i":{"$or":[{"a":["1"]},{"b":["1"]}],"k":["x"]}}`, `{"i":[{"a":"1","k":"y"},{"b":"2","k":"x"}]}`, false},
		{"$or of one alternative is a name", `{"$or":{"a":["1"]}}`, `{"$or":{"a":"1"}}`, true},

		// What a template has.
		{"the families of the product", `{"source":[{"prefix":"purposepath."}],"detail-type":[{"prefix":"goal."},{"prefix":"issue"}],"replay-name":[{"exists":false}]}`,
			`{"source":"purposepath.goals","detail-type":"issue-created","detail":{"tenantId":"acme"}}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := compile([]byte(tt.pattern))
			if err != nil {
				t.Fatal(err)
			}
			value, err := decode([]byte(tt.event))
			if err != nil {
				t.Fatal(err)
			}
			if got := p.match(value.(map[string]any)); got != tt.want {
				t.Errorf("%s matches %s = %v, want %v", tt.pattern, tt.event, got, tt.want)
			}
		})
	}
}

func TestInvalidPattern(t *testing.T) {
	t.Parallel()
	tests := []struct{ pattern, reason string }{
		{`this is no JSON`, "invalid character 'h' in literal true (expecting 'r')"},
		{`{"source":["a"]} {}`, "there is more after the end of the JSON value"},
		{`["a"]`, "Filter is not an object"},
		{`{}`, "Empty objects are not allowed"},
		{`{"detail":{}}`, "Empty objects are not allowed"},
		{`{"resources":[]}`, "Empty arrays are not allowed"},
		{`{"int":42}`, `"int" must be an object or an array`},
		{`{"string":"x"}`, `"string" must be an object or an array`},
		{`{"a":[["x"]]}`, "Match value must be String, number, true, false, or null"},
		{`{"a":[{"prefix":"x","suffix":"y"}]}`, "Only one key allowed in match expression"},
		{`{"a":[{}]}`, "Only one key allowed in match expression"},
		{`{"a":[{"EXISTS":true}]}`, "Unrecognized match type EXISTS"},
		{`{"a":[{"NUMERIC":["=",5]}]}`, "Unrecognized match type NUMERIC"},
		{`{"a":[{"exists":"yes"}]}`, "exists match pattern must be either true or false."},
		{`{"a":[{"prefix":123}]}`, "prefix match pattern must be a string"},
		{`{"a":[{"prefix":["x"]}]}`, "prefix match pattern must be a string"},
		{`{"a":[{"suffix":123}]}`, "suffix match pattern must be a string"},
		{`{"a":[{"suffix":{"prefix":"x"}}]}`, "suffix match pattern must be a string"},
		{`{"a":[{"equals-ignore-case":["x"]}]}`, "equals-ignore-case match pattern must be a string"},
		{`{"a":[{"wildcard":123}]}`, "wildcard match pattern must be a string"},
		{`{"a":[{"wildcard":"arn:aws:events:us-east-1:**:event-bus/*"}]}`, "Consecutive wildcard characters at pos 26"},
		{`{"a":[{"wildcard":"a\\b"}]}`, "Invalid escape character at pos 1"},
		{`{"a":[{"wildcard":"a\\"}]}`, "Invalid escape character at pos 1"},
		{`{"a":[{"anything-but":null}]}`, "Value of anything-but must be an array or single string/number value."},
		{`{"a":[{"anything-but":true}]}`, "Value of anything-but must be an array or single string/number value."},
		{`{"a":[{"anything-but":[]}]}`, "Empty arrays are not allowed"},
		{`{"a":[{"anything-but":["x",null]}]}`, "Inside anything but list, start|null|boolean is not supported."},
		{`{"a":[{"anything-but":["x",1]}]}`, "Inside anything but list, either all values are number or string, mixed type is not supported"},
		{`{"a":[{"anything-but":{"numeric":["=",1]}}]}`, "Unsupported anything-but pattern: numeric"},
		{`{"a":[{"anything-but":{"prefix":"x","suffix":"y"}}]}`, "Only one key allowed in match expression"},
		{`{"a":[{"anything-but":{"prefix":""}}]}`, "Null prefix/suffix not allowed"},
		{`{"a":[{"anything-but":{"suffix":[123,".txt"]}}]}`, "prefix/suffix match pattern must be a string"},
		{`{"a":[{"anything-but":{"prefix":{"equals-ignore-case":"x"}}}]}`, "Value of anything-but must be an array or single string/number value."},
		{`{"a":[{"anything-but":{"wildcard":[123]}}]}`, "wildcard match pattern must be a string"},
		{`{"a":[{"anything-but":{"wildcard":"**"}}]}`, "Consecutive wildcard characters at pos 1"},
		{`{"a":[{"anything-but":{"equals-ignore-case":123}}]}`, "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."},
		{`{"a":[{"anything-but":{"equals-ignore-case":[]}}]}`, "Empty arrays are not allowed"},
		{`{"a":[{"numeric":5}]}`, "Value of numeric must be an array."},
		{`{"a":[{"numeric":[5]}]}`, "Invalid member in numeric match: 5"},
		{`{"a":[{"numeric":[]}]}`, "Invalid member in numeric match: ]"},
		{`{"a":[{"numeric":[">",0,">",0]}]}`, "Bad numeric range operator: >"},
		{`{"a":[{"numeric":[">",0,"<"]}]}`, "Value of < must be numeric"},
		{`{"a":[{"numeric":[">","0"]}]}`, "Value of > must be numeric"},
		{`{"a":[{"numeric":["!=",0]}]}`, "Unrecognized numeric range operator: !="},
		{`{"a":[{"numeric":["<",0,">",5]}]}`, "Too many terms in numeric range expression"},
		{`{"a":[{"numeric":[">",5,"<",5]}]}`, "Bottom must be less than top"},
		{`{"a":[{"numeric":["<",5e10]}]}`, "Value must be between -5.0E9 and 5.0E9, inclusive"},
		{`{"a":[{"cidr":["bad-type"]}]}`, "prefix match pattern must be a string"},
		{`{"a":[{"cidr":"10.0.0.1"}]}`, "Malformed CIDR, one '/' required"},
		{`{"a":[{"cidr":"xx.11.xx/8"}]}`, "Nonstandard IP address: xx.11.xx"},
		{`{"a":[{"cidr":"10.0.0.0/xx"}]}`, "Malformed CIDR, mask bits must be an integer"},
		{`{"a":[{"cidr":"10.0.0.0/33"}]}`, "Malformed CIDR, mask bits must be between 0 and 32"},
		{`{"$or":[{"a":["x"]},{}]}`, "Empty objects are not allowed"},
		{`{"$or":[{"a":["x"]}]}`, "Unrecognized match type a"},
		{`{"$or":[{"numeric":123},{"b":["x"]}]}`, "Value of numeric must be an array."},
	}
	for _, tt := range tests {
		t.Run(tt.pattern, func(t *testing.T) {
			t.Parallel()
			_, err := compile([]byte(tt.pattern))
			var refused *patternError
			if !errors.As(err, &refused) || refused.reason != tt.reason {
				t.Errorf("compile = %v\nwant the reason %s", err, tt.reason)
			}
		})
	}
}
