package template

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
)

// A Config is what samconfig.toml says to SAM CLI's commands in one environment.
type Config struct {
	Template  string            // template_file, absolute; "" if not set
	Region    string            // region; "" if not set
	Overrides map[string]string // parameter_overrides; nil if not set
}

// LoadConfig reads one environment of a samconfig.toml: the section global and after it those of the commands given, each
// named as in the file (local_invoke); a later one replaces what an earlier one says, as for SAM CLI. A missing file is
// fs.ErrNotExist, what is wrong with it an *Error; a missing environment is empty.
func LoadConfig(path, environment string, commands ...string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read SAM's configuration: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return Config{}, fmt.Errorf("read SAM's configuration: %w", err)
	}
	return readConfig(path, dir, data, environment, commands)
}

func readConfig(path, dir string, data []byte, environment string, commands []string) (Config, error) {
	p := &problems{file: path}
	var file map[string]any
	if _, err := toml.Decode(string(data), &file); err != nil {
		var wrong toml.ParseError
		if errors.As(err, &wrong) {
			p.add(wrong.Position.Line, "not TOML: %s", wrong.Message)
		} else {
			p.add(0, "not TOML: %v", err)
		}
		return Config{}, p.err()
	}
	var c Config
	text := func(section, key string, value any) string {
		s, ok := value.(string)
		if !ok {
			p.add(0, "[%s.%s.parameters] %s must be a text", environment, section, key)
		}
		return s
	}
	sections, _ := file[environment].(map[string]any)
	for _, section := range append([]string{"global"}, commands...) {
		command, _ := sections[section].(map[string]any)
		parameters, _ := command["parameters"].(map[string]any)
		if value, ok := parameters["region"]; ok {
			c.Region = text(section, "region", value)
		}
		for _, key := range []string{"template", "template_file"} {
			if value, ok := parameters[key]; ok {
				if c.Template = text(section, key, value); c.Template != "" && !filepath.IsAbs(c.Template) {
					c.Template = filepath.Join(dir, c.Template)
				}
			}
		}
		if value, ok := parameters["parameter_overrides"]; ok {
			overrides, err := parseOverrides(value)
			if err != nil {
				p.add(0, "[%s.%s.parameters] parameter_overrides: %v", environment, section, err)
			}
			c.Overrides = overrides
		}
	}
	if err := p.err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// parseOverrides reads the forms that SAM CLI takes: "A=1 B='two words'", ["A=1", "B='two words'"], {A = 1}, and the older
// "ParameterKey=A,ParameterValue=1".
func parseOverrides(value any) (map[string]string, error) {
	all := make(map[string]string)
	switch value := value.(type) {
	case string:
		words, err := splitWords(value)
		if err != nil {
			return nil, err
		}
		for _, word := range words {
			if err := parseOverride(all, word); err != nil {
				return nil, err
			}
		}
	case []any:
		for _, item := range value {
			part, err := parseOverrides(item)
			if err != nil {
				return nil, err
			}
			for k, v := range part {
				all[k] = v
			}
		}
	case map[string]any:
		for k, v := range value {
			items, ok := v.([]any)
			if !ok {
				all[k] = fmt.Sprint(v)
				continue
			}
			texts := make([]string, len(items))
			for i, item := range items {
				texts[i] = strings.TrimSpace(fmt.Sprint(item))
			}
			all[k] = strings.Join(texts, ",")
		}
	default:
		return nil, fmt.Errorf("must be a text, a list or a table, not %v", value)
	}
	return all, nil
}

func parseOverride(all map[string]string, word string) error {
	if strings.HasPrefix(word, "file://") {
		return fmt.Errorf("%s: files are not read, write the parameters here", word)
	}
	key, value, ok := strings.Cut(word, "=")
	if key == "ParameterKey" {
		key, value, ok = strings.Cut(value, ",ParameterValue=")
	}
	if !ok || key == "" {
		return fmt.Errorf("%q must look like Name=value", word)
	}
	all[key] = value
	return nil
}

// splitWords splits at spaces outside of quotes and takes away the quotes, and the backslash before a space or a quote.
func splitWords(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune
	inWord, escaped := false, false
	for _, c := range s {
		switch {
		case escaped:
			if c != ' ' && c != '"' && c != '\'' {
				word.WriteByte('\\')
			}
			word.WriteRune(c)
			escaped = false
		case c == '\\':
			inWord, escaped = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '"' || c == '\'':
			inWord, quote = true, c
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			inWord = true
			word.WriteRune(c)
		}
	}
	switch {
	case quote != 0:
		return nil, fmt.Errorf("%s: the quote %c is never closed", s, quote)
	case escaped:
		return nil, fmt.Errorf("%s: ends with a backslash", s)
	case inWord:
		words = append(words, word.String())
	}
	return words, nil
}
