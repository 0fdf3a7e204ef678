/**
 * What is expected of every step, struck by every kind of fault: first where the fault strikes once, or as often as a storm does,
 * then where it stays; a dot where it is not of that kind. What the letters mean stands beside their reader.
 */
export const TABLE = `
               | 401 | 403 | 408 | 429 | 500 | 502 | 503 | down | all down | reset | lost | cut up | cut down | short | half | silent | slow | drip | ahead | behind | wrong up | wrong down | less | more | redirect | lie | disk
token          | SS  | k   | RS  | RS  | RS  | RS  | RS  | RS   | RS       | RS    | RS   | RS     | RS       | RS    | RS   | RS     | RR   | RR   | R.    | R.     | SS       | RH         | RS   | RS   | SS       | q   | H.
look           | SS  | k   | RS  | RS  | RS  | RS  | RS  | RS   | RS       | RS    | RS   | RS     | RS       | RS    | RS   | RS     | RR   | RR   | R.    | R.     | SS       | RR         | RS   | RS   | SS       | q   | H.
create         | SS  | k   | RS  | RS  | RS  | RS  | RS  | RS   | RS       | RS    | RS   | RS     | RS       | RS    | RS   | RS     | RR   | RR   | R.    | R.     | SS       | RR         | RS   | RS   | SS       | q   | R.
source token   | SS  | k   | RS  | RS  | RS  | RS  | RS  | RS   | RS       | RS    | RS   | RS     | RS       | RS    | RS   | RS     | RR   | RR   | R.    | R.     | SS       | RS         | RS   | RS   | SS       | q   | H.
source tag     | RS  | RS  | RS  | RS  | RS  | RS  | RS  | RS   | RS       | RS    | RS   | b      | RS       | RS    | RS   | RS     | RR   | RS   | R.    | R.     | b        | t          | RS   | RS   | RR       | q   | H.
source image   | RH  | RH  | RH  | RH  | RH  | RH  | RH  | RH   | RH       | RH    | RH   | b      | RH       | RH    | RH   | RH     | RR   | RH   | R.    | R.     | b        | RH         | RH   | RH   | RR       | q   | H.
source blob    | RH  | RH  | RH  | RH  | RH  | RH  | RH  | RH   | RH       | RH    | RH   | b      | a        | a     | RH   | RH     | RR   | a    | R.    | R.     | b        | a          | a    | RR   | RR       | q   | H.
source storage | k   | k   | RH  | RH  | RH  | RH  | RH  | RH   | RH       | RH    | RH   | b      | RH       | RH    | RH   | RH     | RR   | RH   | R.    | R.     | b        | RH         | RH   | RR   | RH       | q   | H.
region image   | RR  | RR  | RR  | RR  | RR  | RR  | RR  | RH   | RH       | RR    | RR   | b      | RR       | RR    | RR   | RR     | RR   | RR   | R.    | R.     | b        | RR         | RR   | RR   | RR       | q   | H.
region blob    | RR  | RR  | RR  | RR  | RR  | RR  | RR  | RH   | RH       | RR    | RR   | b      | a        | a     | RR   | RR     | RR   | a    | R.    | R.     | b        | a          | a    | RR   | RR       | q   | H.
region storage | k   | k   | RR  | RR  | RR  | RR  | RR  | RH   | RH       | RR    | RR   | b      | RR       | RR    | RR   | RR     | RR   | RR   | R.    | R.     | b        | RR         | RR   | RR   | RR       | q   | H.
layers         | RR  | k   | RR  | RR  | RR  | RR  | RR  | RH   | RH       | RR    | RR   | RR     | RR       | RR    | RR   | RR     | RR   | RR   | R.    | R.     | RR       | RR         | RR   | RR   | RR       | .R  | H.
HEAD image     | RH  | RH  | RH  | RH  | RH  | RH  | RH  | RH   | RH       | RH    | RH   | b      | a        | a     | RH   | RH     | RR   | a    | R.    | R.     | b        | a          | a    | RR   | HH       | .R  | H.
HEAD blob      | RH  | RH  | RH  | RH  | RH  | RH  | RH  | RH   | RH       | RH    | RH   | b      | a        | a     | RH   | RH     | RR   | a    | R.    | R.     | b        | a          | a    | RR   | HH       | .R  | R.
mount          | RR  | RR  | RH  | RH  | RH  | RH  | RH  | RH   | RH       | RH    | RH   | b      | a        | a     | RH   | RH     | RR   | a    | R.    | R.     | b        | a          | a    | RR   | RR       | q   | H.
POST upload    | RH  | RH  | RH  | RH  | RH  | RH  | RH  | RH   | RH       | RH    | RH   | b      | a        | a     | RH   | RH     | RR   | a    | R.    | R.     | b        | a          | a    | RR   | RH       | q   | H.
PUT upload     | RH  | RH  | RH  | RH  | RH  | RH  | RH  | RH   | RH       | RH    | RH   | RH     | a        | a     | RH   | RH     | RR   | a    | R.    | R.     | RH       | a          | a    | RR   | HH       | q   | d
PUT image      | RH  | RH  | RH  | RH  | RH  | RH  | RH  | RH   | RH       | RH    | RH   | RH     | a        | a     | RH   | RH     | RR   | a    | R.    | R.     | HH       | a          | a    | RR   | HH       | q   | R.
PUT index      | RH  | RH  | RH  | RH  | RH  | RH  | RH  | RH   | RH       | RH    | RH   | RH     | a        | a     | RH   | RH     | RR   | a    | R.    | R.     | HH       | a          | a    | RR   | HH       | q   | R.
tag before     | RH  | RH  | RH  | RH  | RH  | RH  | RH  | RH   | RH       | RH    | RH   | b      | RH       | RH    | RH   | RH     | RR   | RH   | R.    | R.     | b        | t          | RH   | RH   | RR       | q   | R.
tag write      | RH  | RH  | RH  | RH  | RH  | RH  | RH  | RH   | RU       | RH    | RR   | RH     | a        | a     | RR   | RH     | RR   | a    | R.    | R.     | HH       | a          | a    | RR   | HH       | q   | R.
read back      | RV  | RV  | RV  | RV  | RV  | RV  | RV  | RV   | RV       | RV    | RV   | b      | RV       | RV    | RV   | RV     | RR   | RV   | R.    | R.     | b        | t          | RV   | RV   | RR       | q   | R.
undo look      | HU  | HU  | HU  | HU  | HU  | HU  | HU  | HU   | HU       | HU    | HU   | b      | HU       | HU    | HU   | HU     | HH   | HU   | H.    | H.     | b        | t          | HU   | HU   | HH       | q   | H.
undo write     | HU  | HU  | HU  | HU  | HU  | HU  | HU  | HU   | HU       | HU    | HH   | HU     | a        | a     | HH   | HU     | HH   | a    | H.    | H.     | UU       | a          | a    | HH   | UU       | q   | H.
undo delete    | UU  | k   | HU  | HU  | HU  | HU  | HU  | HU   | HU       | HU    | HH   | HU     | HH       | HH    | HH   | HU     | HH   | HH   | H.    | H.     | UU       | HH         | HH   | HH   | UU       | q   | H.
undo keep      | HH  | HH  | HH  | HH  | HH  | HH  | HH  | HH   | HH       | HH    | HH   | HH     | a        | a     | HH   | HH     | HH   | a    | H.    | H.     | HH       | a          | a    | HH   | HH       | q   | H.
`;
