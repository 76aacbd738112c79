-- How much of a suggestion is its first note or its first measure? Pure: strings in, strings out.

local M = {}

-- What can look like notes or barlines but is not: chord symbols, decorations, grace notes. Lengths stay the same.
local function masked(text)
  for _, pattern in ipairs({ '"[^"\n]*"', "![^!\n]*!", "{[^}\n]*}" }) do
    text = text:gsub(pattern, function(found)
      return (" "):rep(#found)
    end)
  end
  return text
end

local BARLINE = "[%[:]*|+[:%]]*%d*"

local function abc_measure(text)
  local plain = masked(text)
  local _, from = plain:find("^[%s\\]*" .. BARLINE)
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

local function xml_element(name)
  return function(text)
    return select(2, text:find("</" .. name .. ">", 1, true))
  end
end

local ENDS = {
  abc = { measure = abc_measure, note = abc_note },
  musicxml = { measure = xml_element("measure"), note = xml_element("note") },
}

--- The beginning of a suggestion: its first "note" or "measure", or all of it if it has no such part.
function M.first(text, unit, filetype)
  local ends = ENDS[filetype == "abc" and "abc" or "musicxml"][unit]
  local to = ends and ends(text)
  return to and text:sub(1, to) or text
end

return M
