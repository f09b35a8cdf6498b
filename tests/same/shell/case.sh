for x in apple banana cherry 42 "" '*'; do
    case $x in
        a*) echo "a: $x" ;;
        *an*) echo "an: $x" ;;
        [0-9]*) echo "number" ;;
        '') echo empty ;;
        '*') echo star ;;
        *) echo "other $x" ;;
    esac
done
