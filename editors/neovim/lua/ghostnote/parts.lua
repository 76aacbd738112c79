-- How much of a suggestion is its first note, beat, measure or phrase? Pure: strings in, strings out.
--
-- In ABC a beat is what is beamed together: up to a space or a barline; in MusicXML it is a note. A phrase is four
-- measures, or fewer where a section of the piece ends.

local M = {}

-- What can look like notes or barlines but is not: chord symbols, decorations, grace notes. Lengths stay the same.
local function masked(text)
  for _, pattern in ipairs({ '"[^"\n]*"', "![^!\n]*!", "{[^}\n]*}" }) do
    text = text:gsub(pattern, function(found)
      return ("~"):rep(#found)
    end)
  end
  return text
end

local BARLINE = "[%[:]*|+[:%]]*%d*"

local function abc_measure(text)
  local plain = masked(text)
  local _, from = plain:find("^[%s\\~]*" .. BARLINE)
  local _, to = plain:find(BARLINE, (from or 0) + 1)
  return to
end

local function abc_note(text)
  local plain = masked(text)
  local tail = "[%d/]*[%-%)<>]*"
  local note_start, note_end = plain:find("[%^_=]*[A-Ga-gxyzXZ][,']*" .. tail)
  local chord_start, chord_end = plain:find("%[[%^_=]*[A-Ga-g][^%]\n]*%]" .. tail)
  if chord_start and chord_start < (note_start or math.huge) then
    return chord_end
  end
  return note_end
end

local function abc_beat(text)
  local note_end = abc_note(text)
  return note_end and select(2, masked(text):find("[^%s|:%]]*", note_end + 1))
end

local function xml_element(name)
  return function(text)
    return select(2, text:find("</" .. name .. ">", 1, true))
  end
end

-- `ends_section` is given the text of the measures so far.
local function phrase_of(measure, ends_section)
  return function(text)
    local to
    for _ = 1, 4 do
      local length = measure(text:sub((to or 0) + 1))
      if not length then
        return to
      end
      to = (to or 0) + length
      if ends_section(text:sub(1, to)) then
        return to
      end
    end
    return to
  end
end

local abc_phrase = phrase_of(abc_measure, function(text)
  return text:find("[:|][:|%]]%d*$") ~= nil
end)

local xml_phrase = phrase_of(xml_element("measure"), function(text)
  return text:find("<repeat[%s/]") ~= nil or text:find("<bar-style>light-", 1, true) ~= nil
end)

local ENDS = {
  abc = { phrase = abc_phrase, measure = abc_measure, beat = abc_beat, note = abc_note },
  musicxml = { phrase = xml_phrase, measure = xml_element("measure"), beat = xml_element("note"), note = xml_element("note") },
}

--- The beginning of a suggestion: its first "note", "beat", "measure" or "phrase", or all of it if it has no such part.
function M.first(text, unit, filetype)
  local ends = ENDS[filetype == "abc" and "abc" or "musicxml"][unit]
  local to = ends and ends(text)
  return to and text:sub(1, to) or text
end

return M
